export const clientThing = 'client';
