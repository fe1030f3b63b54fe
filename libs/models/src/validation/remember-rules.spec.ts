import { IsInt, getMetadataStorage, validateSync } from 'class-validator';
import './parse.js';

class Base {
  @IsInt({ groups: ['admin'] })
  limit: number;

  @IsInt()
  count: number;
}

class Derived extends Base {
  @IsInt()
  more: number;
}

const faultsOf = (value: object, groups?: string[]): string[] =>
  validateSync(value, groups === undefined ? {} : { groups }).map(({ property }) => property);

describe('rememberRules', () => {
  it('keeps the rules of a class, of its base and of its groups apart', () => {
    for (let round = 0; round < 2; round += 1) {
      expect(faultsOf(new Base()).toSorted()).toEqual(['count', 'limit']);
      expect(faultsOf(new Derived()).toSorted()).toEqual(['count', 'limit', 'more']);
      expect(faultsOf(new Derived(), ['admin']).toSorted()).toEqual(['limit']);
    }
  });

  it('gathers the rules of a class once', () => {
    const storage = getMetadataStorage();
    const rules = storage.getTargetValidationMetadatas(Base, '', false, false);
    expect(storage.getTargetValidationMetadatas(Base, '', false, false)).toBe(rules);
  });
});
