import 'reflect-metadata';
import { runApp } from '#rivera/platform';
import { loadBbsConfig } from './bbs.config.js';
import { createBbsApp } from './create-bbs-app.js';

await runApp('bbs', async (logger) => {
  const config = loadBbsConfig();
  const app = await createBbsApp(config, logger);
  await app.listen(config.listen.port, config.listen.host);
  logger.log('bbs-listening', { ...config.listen });
  return app;
});
