// breaks: driver-commander
import * as driver from 'commander';

export const used = driver;
