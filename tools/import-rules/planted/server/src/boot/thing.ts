// Allowed: boot/ builds things, and may know all but the stores' writes.
import { httpThing } from '../http/thing.ts';
import { storeThing } from '../store/things.read.ts';

export const bootThing = [httpThing, storeThing];
