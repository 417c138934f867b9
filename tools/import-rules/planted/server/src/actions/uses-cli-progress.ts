// breaks: driver-cli-progress
import * as driver from 'cli-progress';

export const used = driver;
