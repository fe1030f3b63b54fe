import { RiveraError, requireCellId, requireDomainName, requireGuid } from '../index.js';

function refusal(run: () => unknown): RiveraError {
  try {
    run();
  } catch (error) {
    if (error instanceof RiveraError) return error;
    throw error;
  }
  throw new Error('The value was accepted.');
}

describe('the checks of path parameters', () => {
  it('answer what is fine', () => {
    expect(requireGuid('process-1_A', 'processGuid')).toBe('process-1_A');
    expect(requireCellId('cell.1', 'cellId')).toBe('cell.1');
    expect(requireDomainName('any domain/é', 'domain')).toBe('any domain/é');
  });

  it.each<[string, () => unknown, string, string]>([
    ['a guid with a dot', () => requireGuid('a.b', 'taskGuid'), 'taskGuid', 'isGuid'],
    ['an empty guid', () => requireGuid('', 'taskGuid'), 'taskGuid', 'isGuid'],
    ['a long guid', () => requireGuid('a'.repeat(256), 'processGuid'), 'processGuid', 'isGuid'],
    ['a list', () => requireGuid(['a'], 'processGuid'), 'processGuid', 'isGuid'],
    ['a cell id with a slash', () => requireCellId('a/b', 'cellId'), 'cellId', 'isCellId'],
    ['a long domain', () => requireDomainName('é'.repeat(128), 'domain'), 'domain', 'isDomainName'],
    ['a NUL in a domain', () => requireDomainName('a\0', 'domain'), 'domain', 'isDomainName'],
    ['nothing', () => requireDomainName(undefined, 'domain'), 'domain', 'isDomainName'],
  ])('refuse %s', (_what, run, field, rule) => {
    const { code, message, details } = refusal(run);
    expect(code).toBe('invalid-request');
    expect(details.fields).toHaveLength(1);
    expect(details.fields?.[0]).toMatchObject({ field, rule });
    expect(message).toBe(`The request is invalid: ${details.fields?.[0]?.message}`);
    expect(details.fields?.[0]?.message).toMatch(new RegExp(`^${field} must .*\\.$`));
  });
});
