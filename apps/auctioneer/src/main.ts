import 'reflect-metadata';
import { runApp } from '#rivera/platform';
import { loadAuctioneerConfig } from './auctioneer.config.js';
import { startAuctioneer } from './start-auctioneer.js';

await runApp('auctioneer', (logger) => startAuctioneer(loadAuctioneerConfig(), logger));
