import type { paths } from './api-types.ts';

/* What docs/openapi.json says of each request, as types that `request` is written with. */

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The paths that have a method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in Lowercase<M>]: { responses: unknown } } ? P : never;
}[keyof paths];

export type Operation<M extends Method, P extends PathOf<M>> = paths[P] extends { [K in Lowercase<M>]: infer O }
  ? O
  : never;

type ParamsOf<O> = O extends { parameters: { path: infer T } } ? T : never;
export type QueryOf<O> = O extends { parameters: { query?: infer T } } ? Exclude<T, undefined> : never;

type SentAs<C> =
  | (C extends { 'application/json': infer T } ? T : never)
  | (C extends { 'multipart/form-data': unknown } ? FormData : never);
type BodyOf<O> = O extends { requestBody: { content: infer C } }
  ? SentAs<C>
  : O extends { requestBody?: { content: infer C } }
    ? SentAs<C> | undefined
    : never;

type Part<N extends string, T> = [T] extends [never]
  ? { [K in N]?: never }
  : undefined extends T
    ? { [K in N]?: T }
    : object extends T
      ? { [K in N]?: T }
      : { [K in N]: T };

/** How long, and how often. */
export interface RequestSettings {
  signal?: AbortSignal;
  /** Milliseconds for one try. */
  timeout?: number;
  headers?: Record<string, string>;
  /** Else the client makes one for what takes it. The same again is done once. */
  idempotencyKey?: string;
}

/** What a request is made of beside its method and path. */
export type RequestOf<O> = Part<'params', ParamsOf<O>> &
  Part<'query', QueryOf<O>> &
  Part<'body', BodyOf<O>> &
  RequestSettings;

type Responses<O> = O extends { responses: infer R } ? R : never;
type ContentOf<R> = R extends { content: infer C }
  ? C extends { 'application/json': infer T }
    ? T
    : C extends { 'text/plain': unknown }
      ? string
      : Blob
  : null;

/** An answer, by its status: what is in `body` depends on it. */
export type AnswerOf<O> = {
  [S in keyof Responses<O> & number]: { status: S; headers: Headers; body: ContentOf<Responses<O>[S]> };
}[keyof Responses<O> & number];

/** The paths of lists that are read by cursor. */
export type PagedPath = {
  [P in PathOf<'GET'>]: QueryOf<Operation<'GET', P>> extends { cursor?: string } ? P : never;
}[PathOf<'GET'>];

/** What a list is of: the items of the only array in its answer. */
export type ItemOf<P extends PagedPath> = ItemsIn<AnswerOf<Operation<'GET', P>>['body']>;
type ItemsIn<B> = { [K in keyof B]-?: B[K] extends readonly (infer T)[] ? T : never }[keyof B];
