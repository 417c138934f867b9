// breaks: driver-yaml
import * as driver from 'yaml';

export const used = driver;
