import { rebalanceStorm } from './rebalance-storm.js';

rebalanceStorm(60);
