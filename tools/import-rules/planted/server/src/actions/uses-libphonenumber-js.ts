// breaks: driver-libphonenumber-js
import * as driver from 'libphonenumber-js';

export const used = driver;
