import { fileURLToPath } from 'node:url';
import { descriptorModule, messagesModule, parseProtos } from '#test/typescript-of-proto.js';

const root = parseProtos(fileURLToPath(new URL('../proto', import.meta.url)));

describe('what is made from the .proto files (npm run wire-messages makes it anew)', () => {
  it('the descriptor', async () => {
    await expect(await descriptorModule(root)).toMatchFileSnapshot('generated/descriptor.ts');
  });

  it('the types and codecs', async () => {
    await expect(await messagesModule(root)).toMatchFileSnapshot('generated/messages.ts');
  });
});
