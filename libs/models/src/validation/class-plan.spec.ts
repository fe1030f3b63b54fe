import { Exclude, Expose, Transform, Type } from 'class-transformer';
import {
  Allow,
  ArrayMaxSize,
  IsArray,
  IsDefined,
  IsInt,
  IsOptional,
  IsString,
  Validate,
  ValidateIf,
  ValidateNested,
  ValidatorConstraint,
} from 'class-validator';
import { planOf } from './class-plan.js';
import { isSurelyFine } from './quick-check.js';
import { Optional, objectRule } from './rule.js';
import { IsPart, IsPartList } from './rules.js';
import { thoroughParse } from './thorough-parse.js';

type Class = new () => object;

function thorough(type: Class, input: unknown): object | undefined {
  try {
    return thoroughParse(type, input);
  } catch {
    return undefined;
  }
}

/** Both ways on one input: the quick one has to be sure of everything that is accepted. */
function isAccepted(type: Class, input: unknown): boolean {
  const slow = thorough(type, input);
  const isFine = isSurelyFine(type, input);
  expect(isFine).toBe(slow !== undefined);
  if (isFine) expect(input).toEqual(slow);
  return isFine;
}

class Part {
  @IsInt()
  size: number;
}

class Base {
  @IsString()
  name: string;

  @IsInt({ groups: ['admin'] })
  limit: number;
}

class Derived extends Base {
  @ValidateIf((owner: Derived) => owner.name === 'x')
  @IsString()
  more?: string;

  @IsOptional()
  @IsString({ each: true })
  @IsArray()
  @ArrayMaxSize(2)
  list?: string[];

  @Allow()
  any?: unknown;

  @IsPart(() => Part)
  part: Part;

  @Optional()
  @IsPartList(() => Part, { max: 2 })
  parts?: Part[];
}

const derived = (overrides: object): object => ({ name: 'n', limit: 1, part: { size: 1 }, ...overrides });

describe('a plan', () => {
  const good: [string, object][] = [
    ['inherited fields and parts', derived({ parts: [{ size: 1 }, { size: 2 }] })],
    ['a value where the condition does not hold', derived({ more: 1 })],
    ['a value where it holds', derived({ name: 'x', more: 'm' })],
    ['null where IsOptional lets it pass', derived({ list: null })],
    ['a list each entry of which is fine', derived({ list: ['a', 'b'] })],
    ['anything where anything is allowed', derived({ any: { a: [null, { b: 1 }] } })],
    ['fields in another order', { part: { size: 1 }, limit: 1, name: 'n' }],
  ];
  it.each(good)('accepts %s', (_what, input) => {
    expect(isAccepted(Derived, input)).toBe(true);
  });

  const bad: [string, unknown][] = [
    ['what is missing where the condition holds', derived({ name: 'x' })],
    ['a list with one wrong entry', derived({ list: ['a', 1] })],
    ['too long a list', derived({ list: ['a', 'b', 'c'] })],
    ['null where Optional does not let it pass', derived({ parts: null })],
    ['an unknown field', derived({ other: 1 })],
    ['an unknown field of a part', derived({ part: { size: 1, other: 1 } })],
    ['a list for a part', derived({ part: [{ size: 1 }] })],
    ['a part that is missing', { name: 'n', limit: 1 }],
    ['a rule of a group, as no groups are asked for', derived({ limit: 'x' })],
    ['a part within a list within the list', derived({ parts: [[{ size: 1 }]] })],
    ['a list', [derived({})]],
  ];
  it.each(bad)('refuses %s', (_what, input) => {
    expect(isAccepted(Derived, input)).toBe(false);
  });

  it('leaves the rules of a part alone where its field is not validated', () => {
    class Conditional {
      @IsOptional()
      @IsString()
      kind?: string;

      @ValidateIf((owner: Conditional) => owner.kind === 'full')
      @IsPart(() => Part)
      part?: Part;
    }
    const input = { kind: 'none', part: { size: 'x' } };
    expect(isSurelyFine(Conditional, input)).toBe(false);
    expect(thorough(Conditional, input)).toEqual(input);
    expect(isAccepted(Conditional, { kind: 'full', part: { size: 'x' } })).toBe(false);
    expect(isAccepted(Conditional, { kind: 'none', part: { size: 1 } })).toBe(true);
    expect(isAccepted(Conditional, { kind: 'full' })).toBe(false);
  });

  it('knows custom constraints, IsDefined and rules that apply only sometimes', () => {
    @ValidatorConstraint({ name: 'isEven' })
    class IsEven {
      validate(value: unknown): boolean {
        return typeof value === 'number' && value % 2 === 0;
      }
    }
    class Custom {
      @IsDefined()
      @Validate(IsEven)
      even: number;

      @IsInt({ validateIf: (owner: Custom) => owner.even === 2 })
      @IsOptional()
      sometimes?: unknown;
    }
    expect(isAccepted(Custom, { even: 2 })).toBe(true);
    expect(isAccepted(Custom, { even: 1 })).toBe(false);
    expect(isAccepted(Custom, {})).toBe(false);
    expect(isAccepted(Custom, { even: 2, sometimes: 'x' })).toBe(false);
    expect(isAccepted(Custom, { even: 4, sometimes: 'x' })).toBe(true);
  });

  it('shows rules of an object the whole of it, whatever the order of its fields', () => {
    class Range {
      @IsInt()
      to: number;

      @IsInt()
      from: number;
    }
    objectRule<Range>('isShort', ({ from, to }) => (to - from > 5 ? 'must be short' : undefined))(Range);
    expect(isAccepted(Range, { to: 2, from: 1 })).toBe(true);
    expect(isAccepted(Range, { from: 2, to: 9 })).toBe(false);
    expect(isAccepted(Range, { to: 9, from: 2 })).toBe(false);
    expect(isAccepted(Range, { to: 2, from: 1, '*isShort()': 1 })).toBe(false);
  });
});

describe('there is no plan for', () => {
  class Transformed {
    @Transform(({ value }: { value: unknown }) => String(value))
    @IsString()
    value: string;
  }
  class Exposed {
    @Expose({ name: 'other' })
    @IsString()
    value: string;
  }
  @Exclude()
  class Excluded {
    @IsOptional()
    value?: string;
  }
  class Converted {
    @Type(() => Number)
    @IsInt()
    value: number;
  }
  class ConvertedInherited extends Converted {}
  class Discriminated {
    @Type(() => Part, { discriminator: { property: 'kind', subTypes: [{ name: 'a', value: Part }] } })
    @ValidateNested()
    value: Part;
  }
  class Dependent {
    @Type((options) => (options?.object['x'] === 1 ? Part : Base))
    @ValidateNested()
    value: Part | Base;
  }
  class Untyped {
    @ValidateNested()
    value: Part;
  }
  class Unvalidated {
    @Type(() => Part)
    @Allow()
    value: Part;
  }
  class Preset {
    @IsInt()
    value = 1;
  }
  class Undecorated {
    @IsInt()
    value: number;

    other?: number;
  }
  class Ruleless {}
  class Accessor {
    @IsOptional()
    get value(): number {
      return 1;
    }
  }
  @ValidatorConstraint({ async: true })
  class Later {
    async validate(): Promise<boolean> {
      return Promise.resolve(false);
    }
  }
  class Asynchronous {
    @Validate(Later)
    value: number;
  }

  const classes: [string, Class][] = [
    Transformed,
    Exposed,
    Excluded,
    Converted,
    ConvertedInherited,
    Discriminated,
    Dependent,
    Untyped,
    Unvalidated,
    Preset,
    Undecorated,
    Ruleless,
    Accessor,
    Asynchronous,
    String,
    Array,
  ].map((type) => [type.name, type as Class]);
  it.each(classes)('%s', (_name, type) => {
    expect(planOf(type)).toBeUndefined();
    expect(isSurelyFine(type, { value: 1 })).toBe(false);
  });
});
