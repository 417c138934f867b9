// breaks: driver-redisclient
import * as driver from '@redis/client';

export const used = driver;
