// breaks: driver-undici
import * as driver from 'undici';

export const used = driver;
