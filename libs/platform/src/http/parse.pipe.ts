import { parse, RiveraError } from '#rivera/models';
import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';

const BUILT_IN: ReadonlySet<unknown> = new Set([String, Number, Boolean, Array, Object]);

/**
 * The one way input is validated: bodies, query and path parameters against their class by `parse` of the models, everything
 * at once, nothing unknown. Throws RiveraError `invalid-request` with every broken rule in `details.fields`.
 */
@Injectable()
export class ParsePipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (metatype === undefined || BUILT_IN.has(metatype)) return value;
    if (type === 'query' || type === 'param') {
      return parse(metatype as new () => object, { ...(value as object) }, { transforms: true });
    }
    if (type !== 'body') return value;
    if (value === undefined)
      throw new RiveraError('invalid-request', 'The request has no body; send a JSON object.');
    return parse(metatype as new () => object, value);
  }
}
