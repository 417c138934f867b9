// breaks: driver-ws
import * as driver from 'ws';

export const used = driver;
