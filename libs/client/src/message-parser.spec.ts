import { MessageParser } from './message-parser.js';

const STREAM =
  ': following\nid: 1\n\nid: 2\nevent: a\ndata: {"n":1}\n\n: heartbeat\n\ndata: x\ndata: y\n\nid: 3\n\n';
const MESSAGES = [
  { id: '1', data: '' },
  { id: '2', event: 'a', data: '{"n":1}' },
  { id: undefined, event: undefined, data: 'x\ny' },
  { id: '3', data: '' },
];

describe('MessageParser', () => {
  it.each(['\n', '\r\n'])('gives events and lone ids in order (%j)', (newline) => {
    expect(new MessageParser().feed(STREAM.replaceAll('\n', newline))).toEqual(MESSAGES);
  });

  it('does so wherever the text is cut', () => {
    for (let at = 0; at <= STREAM.length; at++) {
      const parser = new MessageParser();
      expect([...parser.feed(STREAM.slice(0, at)), ...parser.feed(STREAM.slice(at))]).toEqual(MESSAGES);
    }
  });
});
