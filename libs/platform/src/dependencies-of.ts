/** The constructor parameters after the first: what Nest injects into a class whose first parameter are its options. */
export type DependenciesOf<T extends abstract new (...args: never[]) => unknown> =
  ConstructorParameters<T> extends [unknown, ...infer Rest] ? Rest : never;
