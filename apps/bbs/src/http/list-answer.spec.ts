import type { FastifyReply } from 'fastify';
import { aRealisticDesiredLRP, aSchedulingInfo, aTag, aTask, aTaskDefinition } from '#test/builders.js';
import { splitDesiredLRP } from '#rivera/models';
import { Stored } from '#rivera/store';
import { listAnswer } from './list-answer.js';
import {
  definitionText,
  desiredLRPText,
  presentScheduling,
  presentTask,
  schedulingText,
  taskText,
} from './presenters.js';

const stored = <R extends { modificationTag: { epoch: string; index: number } }>(id: string, record: R) => {
  const { epoch, index } = record.modificationTag;
  return new Stored<R>(0, id, `${epoch}:${index} ${JSON.stringify(record)}`);
};

function answered(items: Stored[], next?: string) {
  const headers: Record<string, string> = {};
  const reply = {
    header: (name: string, value: string) => (headers[name] = value),
    type: (value: string) => (headers['content-type'] = value),
  } as unknown as FastifyReply;
  const body = listAnswer(
    reply,
    { items, next },
    items.map(({ json }) => json),
  );
  return { body: JSON.parse(body) as unknown, etag: headers['etag'] };
}

describe('a list made of stored texts', () => {
  const [a, b] = [aTask({ taskGuid: 'a' }), aTask({ taskGuid: 'b' })];

  it('is what it would be made of the records', () => {
    expect(answered([]).body).toEqual({ items: [] });
    expect(answered([stored('a', a), stored('b', b)]).body).toEqual({ items: [a, b] });
    expect(answered([stored('a', a)], 'on"ward').body).toEqual({ items: [a], next: 'on"ward' });
  });

  it('has another ETag when a record, a version or the end is another', () => {
    const changed = { ...a, modificationTag: { ...a.modificationTag, index: 1 } };
    const tags = [
      answered([]),
      answered([stored('a', a)]),
      answered([stored('a', changed)]),
      answered([stored('a', a), stored('b', b)]),
      answered([stored('b', b), stored('a', a)]),
      answered([stored('a', a)], 'next'),
    ].map(({ etag }) => etag);
    expect(new Set(tags).size).toBe(tags.length);
    expect(answered([stored('a', a)]).etag).toBe(tags[1]);
  });
});

describe('the text of a record', () => {
  it('is the stored one when there is nothing to hide', () => {
    const info = stored('p', aSchedulingInfo());
    expect(schedulingText(info)).toBe(info.json);
    expect(info.isParsed).toBe(false);
  });

  it.each([
    ['an idempotency key', aSchedulingInfo({ idempotencyKey: 'k' })],
    ['a route that only looks like one', aSchedulingInfo({ routes: { r: { idempotencyKey: 1 } } })],
    ['an annotation that quotes one', aSchedulingInfo({ annotation: '{"idempotencyKey":1}' })],
  ])('has no secrets: %s', (_what, info) => {
    expect(JSON.parse(schedulingText(stored('p', info)))).toEqual(presentScheduling(info));
  });

  it('has no password of a task', () => {
    const definition = aTaskDefinition({ imageUsername: 'u', imagePassword: 'hunter2' });
    const task = aTask({ definition, idempotencyKey: 'k' });
    expect(JSON.parse(taskText(stored('t', task)))).toEqual(presentTask(task));
    expect(taskText(stored('t', task))).not.toMatch(/hunter2|idempotencyKey/);
  });
});

describe('the text of a definition', () => {
  const modificationTag = aTag();
  const request = aRealisticDesiredLRP({ imageUsername: 'u', imagePassword: 'hunter2' });
  const { processGuid } = request;
  const { schedulingInfo, runInfo } = splitDesiredLRP(request, modificationTag);

  it('is both halves, joined as they are stored', () => {
    const halves = {
      schedulingInfo: stored(processGuid, schedulingInfo),
      run: stored(processGuid, { processGuid, modificationTag, ...runInfo }),
    };
    expect(JSON.parse(definitionText(halves))).toEqual({ ...runInfo, ...schedulingInfo });
    expect(halves.run.isParsed).toBe(false);
  });

  it('has no secrets for clients, and is not parsed when there are none', () => {
    const { imageUsername: _user, imagePassword: _password, ...open } = runInfo;
    const scheduling = stored(processGuid, schedulingInfo);
    const plain = stored(processGuid, { processGuid, modificationTag, ...open });
    expect(JSON.parse(desiredLRPText({ schedulingInfo: scheduling, run: plain }))).toEqual({
      ...open,
      ...schedulingInfo,
    });
    expect(plain.isParsed || scheduling.isParsed).toBe(false);
    const secret = {
      schedulingInfo: stored(processGuid, { ...schedulingInfo, idempotencyKey: 'k' }),
      run: stored(processGuid, { processGuid, modificationTag, ...runInfo }),
    };
    expect(desiredLRPText(secret)).not.toMatch(/hunter2|idempotencyKey/);
    expect(JSON.parse(desiredLRPText(secret))).toEqual({ ...open, ...schedulingInfo, imageUsername: 'u' });
  });

  it.each([
    ['in another order', { ...runInfo, processGuid, modificationTag }],
    ['with a tag of its own', { processGuid, modificationTag: { ...modificationTag, index: 3 }, ...runInfo }],
    ['with nothing else', { processGuid, modificationTag }],
  ])('is right for a run half %s', (_what, run) => {
    const text = definitionText({
      schedulingInfo: stored(processGuid, schedulingInfo),
      run: stored(processGuid, run as typeof run & typeof runInfo),
    });
    expect(JSON.parse(text)).toEqual({ ...run, ...schedulingInfo });
    expect(text.match(/"modificationTag":/g)).toHaveLength(1);
  });
});
