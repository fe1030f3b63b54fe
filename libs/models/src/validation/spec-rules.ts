import { isRecord, mapOf, oneOf, prefixed, text } from './checks.js';
import { LIMITS } from './limits.js';
import { propertyRule } from './rule.js';
import type { Complaint } from './rule.js';

/** Names and values end up as `NAME=value` strings of a process. */
export function IsEnvironmentName(): PropertyDecorator {
  return propertyRule(
    'isEnvironmentName',
    text({
      min: 1,
      max: LIMITS.nameBytes,
      pattern: /^(?=.*\S)[^=]*$/s,
      patternInWords: 'be neither blank nor contain "="',
    }),
  );
}

/** A place below the directory of the mounted files: the cell joins it to a path of its own. */
export function IsRelativePlace(): PropertyDecorator {
  return propertyRule(
    'isRelativePlace',
    text({
      min: 1,
      max: LIMITS.pathBytes,
      pattern: /^(?!(?:.*\/)?\.\.(?:\/|$))/s,
      patternInWords: 'not lead out of its directory with ".."',
    }),
  );
}

/** All files of one list together stay below the limit (Diego BBS, volume mounted files). */
export function FilesFit(): PropertyDecorator {
  return propertyRule('filesFit', (files) => {
    if (!Array.isArray(files)) return undefined;
    const total = files
      .map((file: unknown) =>
        isRecord(file) && typeof file['content'] === 'string' ? Buffer.byteLength(file['content']) : 0,
      )
      .reduce((sum, bytes) => sum + bytes, 0);
    return total > LIMITS.volumeMountedFilesBytes
      ? `must hold at most ${LIMITS.volumeMountedFilesBytes} bytes of content together, not ${total}`
      : undefined;
  });
}

/** Actions within actions, at most `LIMITS.actionDepth` levels: whoever runs them may recurse. */
export function IsShallowAction(): PropertyDecorator {
  return propertyRule('isShallowAction', (root) =>
    isDeeperThan(LIMITS.actionDepth, root)
      ? `must nest actions at most ${LIMITS.actionDepth} levels deep`
      : undefined,
  );
}

/** Recurses no deeper than `levels`, whatever it is given. */
function isDeeperThan(levels: number, action: unknown): boolean {
  if (levels < 0) return true;
  if (!isRecord(action)) return false;
  for (const kind of Object.keys(action)) {
    const member = action[kind];
    if (!isRecord(member)) continue;
    if (holdsDeeper(levels, member['action']) || holdsDeeper(levels, member['actions'])) return true;
  }
  return false;
}

function holdsDeeper(levels: number, inner: unknown): boolean {
  if (Array.isArray(inner)) return inner.some((each) => isRecord(each) && isDeeperThan(levels - 1, each));
  return isRecord(inner) && isDeeperThan(levels - 1, inner);
}

/** Router name → whatever that router understands. */
export function IsRoutes(): PropertyDecorator {
  return propertyRule('isRoutes', (routes) => {
    if (!isRecord(routes)) return 'must be an object';
    const bytes = Buffer.byteLength(JSON.stringify(routes));
    return bytes > LIMITS.routesBytes
      ? `must be at most ${LIMITS.routesBytes} bytes of JSON, not ${bytes}`
      : undefined;
  });
}

const TAG_KINDS = ['static', 'dynamic'];

const staticTag = text({ min: 1, max: LIMITS.textBytes });
const dynamicTag = oneOf(['INDEX', 'INSTANCE_GUID']);

/** Exactly one of a text and a value the cell fills in (Diego BBS, MetricTagValue). */
function metricTag(tag: unknown): Complaint {
  if (!isRecord(tag)) return 'must be an object';
  const unknown = Object.keys(tag).filter((key) => !TAG_KINDS.includes(key));
  if (unknown.length > 0) return `must have no field but ${TAG_KINDS.join(' or ')}`;
  const given = TAG_KINDS.filter((kind) => tag[kind] !== undefined);
  if (given.length !== 1) return `must have exactly one of ${TAG_KINDS.join(' and ')}`;
  return tag['static'] === undefined
    ? prefixed([['.dynamic', dynamicTag(tag['dynamic'])]])
    : prefixed([['.static', staticTag(tag['static'])]]);
}

export function IsMetricTags(): PropertyDecorator {
  return propertyRule('isMetricTags', mapOf(metricTag, { max: LIMITS.metricTags }));
}
