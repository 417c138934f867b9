import { type Options, SerializerSelector } from '@fastify/fast-json-stringify-compiler';
import Type, { type Static, type TSchema } from 'typebox';

type Serialize = (data: unknown) => string;

/**
 * Makes the function that writes an answer by its schema when the first such answer is written, and not for each status of each
 * route at the start: that would be a second of work, and memory, for answers of which most are never given.
 */
export function lazySerializers(externalSchemas?: unknown, options?: Options) {
  const compile = SerializerSelector()(externalSchemas, options);
  type Route = Parameters<typeof compile>[0];
  const lazily = (route: Route): Serialize => {
    let serialize: Serialize | undefined;
    return (data) => {
      serialize ??= compile(route) as Serialize;
      return serialize(data);
    };
  };
  return (route: Route): Serialize => {
    const shapes: unknown = route.schema;
    if (!isEither(shapes)) return lazily(route);
    const [usual, other] = shapes.anyOf.map((schema) => lazily({ ...route, schema }));
    const told = shapes[TOLD_BY];
    return (data) => ((isObject(data) && told in data ? other : usual) as Serialize)(data);
  };
}

const TOLD_BY = 'x-told-by';

/**
 * An answer of one of two shapes. Which one it is, the presence of a property tells: to find it out by validating against the one and
 * the other, as a serializer of `anyOf` does, would cost each answer more than to write it.
 * @param property which only the second has.
 */
export function either<A extends TSchema, B extends TSchema>(usual: A, other: B, property: string) {
  return Type.Unsafe<Static<A> | Static<B>>({ anyOf: [usual, other], [TOLD_BY]: property });
}

function isEither(schema: unknown): schema is { anyOf: [object, object]; [TOLD_BY]: string } {
  return isObject(schema) && TOLD_BY in schema;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
