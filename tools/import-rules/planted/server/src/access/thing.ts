export type AccessThing = 'access';
export const accessThing: AccessThing = 'access';
