type Column = Int32Array | Uint32Array | Float64Array;

/** A copy of a column with room for more; what is new is 0. */
export function grown<C extends Column>(column: C, length: number): C {
  const larger = new (column.constructor as new (length: number) => C)(length);
  larger.set(column);
  return larger;
}
