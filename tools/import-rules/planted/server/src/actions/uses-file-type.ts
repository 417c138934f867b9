// breaks: driver-file-type
import * as driver from 'file-type';

export const used = driver;
