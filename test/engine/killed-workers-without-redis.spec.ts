import { describeKilledWorkers } from './killed-workers.js';

describeKilledWorkers(false);
