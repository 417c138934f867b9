// Allowed: the command line starts the program, and may know all.
import { started } from '../main.ts';
import { httpThing } from '../http/thing.ts';
import { storeThing } from '../store/things.read.ts';

export const command = [started, httpThing, storeThing];
