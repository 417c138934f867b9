export const writeThing = 'written';
