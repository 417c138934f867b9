export const benchThing = 'bench';
