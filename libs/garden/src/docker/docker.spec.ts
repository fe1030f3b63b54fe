import type { ContainerSpec, GardenCapabilities } from '../container.js';
import { containerName, containerOptions } from './container-options.js';
import { negotiate } from './engine.js';
import { engineError } from './engine-error.js';
import { parseImageUrl } from './images.js';

describe('negotiate', () => {
  it.each([
    ['1.41', '1.12', '1.41'],
    ['1.44', '1.24', '1.44'],
    ['1.52', '1.44', '1.44'],
  ])('an engine of %s to %s is spoken to in %s', (newest, oldest, expected) => {
    expect(negotiate(newest, oldest)).toBe(expected);
  });

  it.each([
    ['1.40', '1.12'],
    ['1.9', '1.1'],
    ['1.60', '1.50'],
  ])('refuses an engine of %s, at least %s', (newest, oldest) => {
    expect(() => negotiate(newest, oldest)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });
});

describe('parseImageUrl', () => {
  const hub = 'https://index.docker.io/v1/';
  it.each([
    ['docker:///busybox', 'busybox:latest', hub],
    ['docker:///library/busybox#1.36', 'library/busybox:1.36', hub],
    ['docker://cloudfoundry/grace', 'cloudfoundry/grace:latest', hub],
    [
      'docker://registry.example.com:5000/team/app#v1',
      'registry.example.com:5000/team/app:v1',
      'registry.example.com:5000',
    ],
    ['docker://localhost/app', 'localhost/app:latest', 'localhost'],
    ['docker:///app@sha256:abc', 'app@sha256:abc', hub],
    ['docker:///app#sha256:abc', 'app@sha256:abc', hub],
    ['docker:///app:v2', 'app:v2', hub],
  ])('%s', (url, reference, registry) => {
    expect(parseImageUrl(url)).toEqual({ reference, registry });
  });

  it('refuses a URL without an image', () => {
    expect(() => parseImageUrl('docker://')).toThrow(/names no image/);
  });
});

describe('engineError', () => {
  const answered = (statusCode: number, message: string): Error =>
    Object.assign(new Error('(HTTP code)'), { statusCode, json: { message } });

  it.each([
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'unavailable'],
    [Object.assign(new Error('connect'), { code: 'ENOENT' }), 'unavailable'],
    [answered(404, 'No such container: x'), 'not-found'],
    [answered(400, 'exec: "/nope": stat /nope: no such file or directory'), 'not-found'],
    [answered(500, '--storage-opt is supported only for overlay over xfs'), 'unsupported'],
    [answered(500, 'whatever'), 'internal'],
  ])('%s is %s', (error, code) => {
    expect(engineError(error, 'It failed')).toMatchObject({ code });
  });

  it('is a sentence with what the engine said', () => {
    expect(engineError(answered(500, 'boom'), 'It failed').message).toBe('It failed: boom.');
  });
});

describe('containerOptions', () => {
  const spec: ContainerSpec = {
    handle: 'guid-1',
    rootfs: 'preloaded:base',
    env: ['A=1', 'B=1'],
    limits: { memoryMb: 100, diskMb: 10, pids: 50, cpuShares: 512 },
    privileged: false,
    ports: [8080, 8080],
    properties: { lifecycle: 'lrp' },
  };
  const optionsFor = (more: Partial<ContainerSpec> = {}): ReturnType<typeof containerOptions> =>
    containerOptions({
      owner: 'cell-1',
      spec: { ...spec, ...more },
      image: 'image',
      network: 'net',
      capabilities: { diskLimit: false } as GardenCapabilities,
    });

  it('limits memory without swap, and without a limit sets none', () => {
    expect(optionsFor().HostConfig).toMatchObject({
      Memory: 104_857_600,
      MemorySwap: 104_857_600,
      PidsLimit: 50,
    });
    const unlimited = optionsFor({ limits: { memoryMb: 0, diskMb: 0, pids: 0, cpuShares: 10 } });
    expect(unlimited.HostConfig).toMatchObject({ Memory: 0, MemorySwap: 0, CpuShares: 10 });
    expect(unlimited.HostConfig?.PidsLimit).toBeUndefined();
  });

  it('drops all capabilities but a few and forbids new ones, unless privileged', () => {
    expect(optionsFor().HostConfig).toMatchObject({ CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] });
    expect(optionsFor().HostConfig?.CapAdd).not.toContain('NET_RAW');
    expect(optionsFor({ privileged: true }).HostConfig).toMatchObject({ Privileged: true });
  });

  it('keeps the environment out of the labels', () => {
    const { Labels, Env } = optionsFor({ env: ['SECRET=s3cr3t'] });
    expect(Env).toContain('SECRET=s3cr3t');
    expect(JSON.stringify(Labels)).not.toContain('s3cr3t');
    expect(Labels).toEqual({
      'rivera.owner': 'cell-1',
      'rivera.handle': 'guid-1',
      'rivera.ports': '8080',
      'rivera.property.lifecycle': 'lrp',
    });
  });

  it('names a container so that owners and odd handles do not meet', () => {
    expect(containerName('a', 'b')).not.toBe(containerName('a2', 'b'));
    expect(containerName('a', 'x/y')).not.toBe(containerName('a', 'x_y'));
    expect(containerName('a', '../x y')).toMatch(/^rivera-[a-zA-Z0-9_.-]+$/);
  });
});
