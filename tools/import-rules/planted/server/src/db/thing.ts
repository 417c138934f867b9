export type DbThing = 'db';
export const dbThing: DbThing = 'db';
