// breaks: driver-platformatickafka
import * as driver from '@platformatic/kafka';

export const used = driver;
