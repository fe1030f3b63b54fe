import { redisAcl } from './redis-acl.js';

// printf secret | sha256sum
const HASH = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b';

describe('redisAcl', () => {
  it('lets the control plane do everything, and a cell use its own mailbox', () => {
    const acl = redisAcl({ name: 'default', password: 'secret' }, [
      { name: 'cell-1', password: 'secret', cellId: 'cell-1' },
    ]);
    expect(acl).toBe(
      `user default on #${HASH} ~* &* +@all\n` +
        `user cell-1 on #${HASH} resetkeys resetchannels ~{cell-cell-1}:* nocommands +@read +@write +@scripting ` +
        '+@connection +@fast +info +client|setname -@admin -flushall -flushdb -keys -script|flush -function\n',
    );
  });

  it('writes no password down', () => {
    const acl = redisAcl({ name: 'default', password: 'hunter2' }, [
      { name: 'a', password: 'hunter3', cellId: 'a' },
    ]);
    expect(acl).not.toContain('hunter');
  });
});
