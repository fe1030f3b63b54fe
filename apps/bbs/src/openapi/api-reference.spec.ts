import { type BbsHarness, startBbs } from '#test/bbs.js';
import { apiReference } from './api-reference.js';
import type { OpenApiDocument } from './openapi-document.js';

let bbs: BbsHarness;
let document: OpenApiDocument;
beforeAll(async () => {
  bbs = await startBbs();
  document = (await bbs.as().get('/openapi.json').expect(200)).body as OpenApiDocument;
});
afterAll(() => bbs.stop());

describe('the API reference', () => {
  it('is the one in docs/ (npm run docs makes it anew)', async () => {
    await expect(apiReference(document)).toMatchFileSnapshot('../../../../docs/api-reference.md');
  });

  it('has every operation and every schema, and no link to nowhere', () => {
    const text = apiReference(document);
    const titles = new Set([...text.matchAll(/^### (.+)$/gm)].map(([, title = '']) => title));
    for (const [path, methods] of Object.entries(document.paths))
      for (const method of Object.keys(methods)) expect(titles).toContain(`${method.toUpperCase()} ${path}`);
    const anchors = new Set([...titles].map((title) => title.toLowerCase()));
    for (const [, anchor = ''] of text.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
    expect(Object.keys(document.components.schemas).filter((name) => !titles.has(name))).toEqual([]);
  });
});
