import { PullProgress } from './pull-progress.js';

describe('PullProgress', () => {
  let time = 0;
  const pulling = () => {
    const said: string[] = [];
    const progress = new PullProgress('app:v1', () => time);
    progress.tell((text) => said.push(text));
    progress.begin();
    return { progress, said };
  };

  it('says that it began, every ten seconds how far it is, and that it is done', () => {
    const { progress, said } = pulling();
    progress.take({ status: 'Pulling from team/app', id: 'v1' });
    for (const id of ['a', 'b', 'c']) progress.take({ status: 'Pulling fs layer', id });
    progress.take({ status: 'Already exists', id: 'd' });
    progress.take({ status: 'Downloading', id: 'a', progressDetail: { current: 512, total: 1_024 } });
    time += 10_000;
    progress.take({ status: 'Downloading', id: 'b', progressDetail: { current: 1_024, total: 3_145_728 } });
    progress.take({ status: 'Download complete', id: 'a' });
    time += 10_000;
    progress.take({ status: 'Pull complete', id: 'b' });
    progress.done();
    expect(said).toEqual([
      'Pulling image app:v1',
      'Pulling image app:v1: 1 of 4 layers, 1.5K of 3.0M',
      'Pulling image app:v1: 3 of 4 layers, 3.0M of 3.0M',
      'Pulled image app:v1 (3.0M)',
    ]);
  });

  it('tells who comes later how far it is', () => {
    const { progress, said } = pulling();
    progress.take({ status: 'Pulling fs layer', id: 'a' });
    const later: string[] = [];
    progress.tell((text) => later.push(text));
    progress.done();
    expect(later).toEqual(['Pulling image app:v1: 0 of 1 layers, 0B of 0B', 'Pulled image app:v1']);
    expect(said).toEqual(['Pulling image app:v1', 'Pulled image app:v1']);
  });
});
