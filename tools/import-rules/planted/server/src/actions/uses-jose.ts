// breaks: driver-jose
import * as driver from 'jose';

export const used = driver;
