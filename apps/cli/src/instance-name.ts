import { InvalidArgumentError } from 'commander';

/** One instance as people write it. */
export interface InstanceName {
  processGuid: string;
  index: number;
}

/** `<processGuid>/<index>`; without an index, instance 0. */
export function parseInstance(text: string): InstanceName {
  const match = /^([^/]+)(?:\/(\d{1,9}))?$/.exec(text);
  if (!match) throw new InvalidArgumentError('It must look like processGuid/index, for example web/0.');
  const [, processGuid = '', index = '0'] = match;
  return { processGuid, index: Number(index) };
}
