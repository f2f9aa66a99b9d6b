import { brokerOutage } from './broker-outage.js';

brokerOutage(60);
