/** Keeps each of few different values once and gives it a small number. */
export class Interned<T> {
  private readonly ids = new Map<string, number>();
  private readonly values: T[] = [];

  constructor(private readonly keyOf: (value: T) => string) {}

  idOf(value: T): number {
    const key = this.keyOf(value);
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    const id = this.values.push(value) - 1;
    this.ids.set(key, id);
    return id;
  }

  at(id: number): T {
    const value = this.values[id];
    if (value === undefined) throw new RangeError(`There is no value with the number ${id}.`);
    return value;
  }
}
