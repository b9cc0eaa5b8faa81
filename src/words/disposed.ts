/**
 * `AsyncDisposable` for projects whose `lib` may not declare it.
 *
 * @module
 */

/** `AsyncDisposable`, for `await using`; an empty type if the project's `lib` does not declare `Symbol.asyncDispose`. */
export type Disposed = SymbolConstructor extends { readonly asyncDispose: infer Name extends symbol }
  ? { [Key in Name]: () => Promise<void> }
  : Record<never, never>;
