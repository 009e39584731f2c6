import { startAnalyticsDatabase, type AnalyticsDatabase } from './analytics-database.js';
import { CompanyApp } from './company-app.js';
import type { DemoPlaces } from './demo-places.js';
import type { StopList } from './stop-list.js';
import { together } from './together.js';

/** The company's tools, each a real server on loopback. */
export interface Company {
  analytics: AnalyticsDatabase;
  directory: CompanyApp;
  chat: CompanyApp;
}

export async function startCompany(places: DemoPlaces, stops: StopList): Promise<Company> {
  const { analyticsPassword, directoryToken, chatToken } = places.memory;
  const stoppable = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    stops.add(() => started.stop());
    return started;
  };
  const [analytics, directory, chat] = await together([
    stoppable(startAnalyticsDatabase(places.at('analytics'), analyticsPassword)),
    stoppable(
      CompanyApp.start({ folder: places.at('directory'), scimToken: directoryToken, groups: ['staff', 'engineering'] }),
    ),
    stoppable(
      CompanyApp.start({
        folder: places.at('chat'),
        scimToken: chatToken,
        groups: ['general', 'engineering', 'berlin'],
      }),
    ),
  ]);
  return { analytics, directory, chat };
}
