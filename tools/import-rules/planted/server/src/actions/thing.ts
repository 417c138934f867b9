export type ActionsThing = 'actions';
export const actionsThing: ActionsThing = 'actions';
