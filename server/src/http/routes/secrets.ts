import Type from 'typebox';
import { guard } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { ERRORS_OF_ROUTES, NO_BODY, NO_QUERY, reference } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';

const ResealedObject = Type.Object(
  {
    resealed: Type.Integer({ description: 'Sealed anew now.' }),
    already: Type.Integer({ description: 'Sealed by the newest key before.' }),
    failed: Type.Integer({ description: 'No key at hand opens them: they stay as they are.' }),
  },
  { $id: 'Resealed' },
);
export const SECRET_PARTS = [ResealedObject];

/** The installation's stored secrets: for an operator's key alone. */
export function secretRoutes(app: HttpApp, { keys, manage }: HttpDeps): void {
  app.post(
    '/api/v1/secrets/rotate',
    {
      schema: {
        tags: ['secrets'],
        summary: 'Seal every stored secret with the newest encryption key',
        description:
          'Give the new key beside the old one in secrets.encryption_keys on every instance first. When `failed` is 0, the old one can be taken out.',
        querystring: NO_QUERY,
        body: NO_BODY,
        response: { 200: reference(ResealedObject), ...ERRORS_OF_ROUTES },
      },
      onRequest: guard(keys, 'admin'),
    },
    async () => manage.reseal(),
  );
}
