#!/usr/bin/env node
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { runApp, type RiveraLogger } from '#rivera/platform';
import { loadBbsConfig } from './bbs.config.js';
import { createBbsApp } from './create-bbs-app.js';
import { readDiegoConfigFile } from './diego/diego-config-file.js';

/** Beside the grace: for requests that are being served. */
const CLOSE_DEADLINE_MS = 10_000;

await runApp('bbs', async (logger) => {
  const config = loadBbsConfig(environment(logger));
  const app = await createBbsApp(config, logger);
  await app.listen(config.listen.port, config.listen.host);
  logger.log('bbs-listening', { ...config.listen });
  return {
    close: () => app.close(),
    closeDeadlineMs: config.bbs.shutdownGraceMs + CLOSE_DEADLINE_MS,
  };
});

/** The environment, before what `--diego-config bbs.json` says. */
function environment(logger: RiveraLogger): NodeJS.ProcessEnv {
  const { values } = parseArgs({ options: { 'diego-config': { type: 'string' } } });
  const path = values['diego-config'];
  if (path === undefined) return process.env;
  const { env, ignored } = readDiegoConfigFile(path);
  for (const [key, reason] of Object.entries(ignored))
    logger.warn('ignored-diego-setting', { path, key, reason });
  const given = Object.entries(process.env).filter(([, value]) => value !== '');
  return { ...env, ...Object.fromEntries(given) };
}
