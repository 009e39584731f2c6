import { describeKilledWorkers } from './killed-workers.js';

describeKilledWorkers(true);
