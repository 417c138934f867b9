import { ExplanationObject } from '../explanation-view.ts';
import { ERRORS_OF_ROUTES, NO_QUERY, reference } from '../schemas.ts';

export const ROUTE = {
  tags: ['messages'],
  summary: 'Why has it not left?',
  description:
    'The state of a message in words, the cause that holds it back as a code, what happens next and when, what a person can do, and its whole history. All of it is of one moment, by the clock of the database.',
  querystring: NO_QUERY,
  response: { 200: reference(ExplanationObject), ...ERRORS_OF_ROUTES },
} as const;
