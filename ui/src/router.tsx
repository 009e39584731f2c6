import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Loading } from './parts/loaded.js';
import {
  AUDIT_FILTERS,
  CASE_FILTERS,
  DEVICE_FILTERS,
  DEVICE_SEARCH,
  DUTY_FILTERS,
  HR_FILTERS,
  IMAGE_FILTERS,
  IMPORT_SEARCH,
  LOSS_SEARCH,
  MODEL_FILTERS,
  PEOPLE_FILTERS,
  RETURN_FILTERS,
  readSearch,
} from './search-params.js';
import { NotFound } from './shell/not-found.js';
import { Shell } from './shell/shell.js';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/overview/overview-page.js'), 'OverviewPage'),
});

const lostLaptop = createRoute({
  getParentRoute: () => root,
  path: '/lost-laptop',
  validateSearch: (search) => readSearch(LOSS_SEARCH, search),
  component: lazyRouteComponent(() => import('./pages/lost-devices/lost-laptop-page.js'), 'LostLaptopPage'),
});

const people = createRoute({
  getParentRoute: () => root,
  path: '/people',
  validateSearch: (search) => readSearch(PEOPLE_FILTERS, search),
  component: lazyRouteComponent(() => import('./pages/people/people-page.js'), 'PeoplePage'),
});

const person = createRoute({
  getParentRoute: () => root,
  path: '/people/$personId',
  component: lazyRouteComponent(() => import('./pages/people/person-page.js'), 'PersonPage'),
});

const cases = createRoute({
  getParentRoute: () => root,
  path: '/cases',
  validateSearch: (search) => readSearch(CASE_FILTERS, search),
  component: lazyRouteComponent(() => import('./pages/cases/cases-page.js'), 'CasesPage'),
});

const oneCase = createRoute({
  getParentRoute: () => root,
  path: '/cases/$caseId',
  component: lazyRouteComponent(() => import('./pages/cases/case-page.js'), 'CasePage'),
});

const duties = createRoute({
  getParentRoute: () => root,
  path: '/duties',
  validateSearch: (search) => readSearch(DUTY_FILTERS, search),
  component: lazyRouteComponent(() => import('./pages/steps/duties-page.js'), 'DutiesPage'),
});

const devices = createRoute({
  getParentRoute: () => root,
  path: '/devices',
  validateSearch: (search) => readSearch(DEVICE_FILTERS, search),
  component: lazyRouteComponent(() => import('./pages/devices/devices-page.js'), 'DevicesPage'),
});

const device = createRoute({
  getParentRoute: () => root,
  path: '/devices/$deviceId',
  validateSearch: (search) => readSearch(DEVICE_SEARCH, search),
  component: lazyRouteComponent(() => import('./pages/devices/device-page.js'), 'DevicePage'),
});

const deviceImport = createRoute({
  getParentRoute: () => root,
  path: '/devices/import',
  validateSearch: (search) => readSearch(IMPORT_SEARCH, search),
  component: lazyRouteComponent(() => import('./pages/devices/import-page.js'), 'ImportPage'),
});

const returns = createRoute({
  getParentRoute: () => root,
  path: '/returns',
  validateSearch: (search) => readSearch(RETURN_FILTERS, search),
  component: lazyRouteComponent(() => import('./pages/returns/returns-page.js'), 'ReturnsPage'),
});

const models = createRoute({
  getParentRoute: () => root,
  path: '/models',
  validateSearch: (search) => readSearch(MODEL_FILTERS, search),
  component: lazyRouteComponent(() => import('./pages/device-models/models-page.js'), 'ModelsPage'),
});

const images = createRoute({
  getParentRoute: () => root,
  path: '/images',
  validateSearch: (search) => readSearch(IMAGE_FILTERS, search),
  component: lazyRouteComponent(() => import('./pages/images/images-page.js'), 'ImagesPage'),
});

const imageVersion = createRoute({
  getParentRoute: () => root,
  path: '/images/$versionId',
  component: lazyRouteComponent(() => import('./pages/images/image-version-page.js'), 'ImageVersionPage'),
});

const tools = createRoute({
  getParentRoute: () => root,
  path: '/tools',
  component: lazyRouteComponent(() => import('./pages/tools/tools-page.js'), 'ToolsPage'),
});

const tool = createRoute({
  getParentRoute: () => root,
  path: '/tools/$toolId',
  component: lazyRouteComponent(() => import('./pages/tools/tool-page.js'), 'ToolPage'),
});

const newTool = createRoute({
  getParentRoute: () => root,
  path: '/tools/new',
  component: lazyRouteComponent(() => import('./pages/tools/new-tool-page.js'), 'NewToolPage'),
});

const changeTool = createRoute({
  getParentRoute: () => root,
  path: '/tools/$toolId/change',
  component: lazyRouteComponent(() => import('./pages/tools/change-tool-page.js'), 'ChangeToolPage'),
});

const approvals = createRoute({
  getParentRoute: () => root,
  path: '/approvals',
  component: lazyRouteComponent(() => import('./pages/approvals/approvals-page.js'), 'ApprovalsPage'),
});

const hrEvents = createRoute({
  getParentRoute: () => root,
  path: '/hr-events',
  validateSearch: (search) => readSearch(HR_FILTERS, search),
  component: lazyRouteComponent(() => import('./pages/hr-feeds/hr-events-page.js'), 'HrEventsPage'),
});

const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: (search) => readSearch(AUDIT_FILTERS, search),
  component: lazyRouteComponent(() => import('./pages/audit/audit-page.js'), 'AuditPage'),
});

const yourSignIn = createRoute({
  getParentRoute: () => root,
  path: '/your-sign-in',
  component: lazyRouteComponent(() => import('./pages/sign-in/your-sign-in-page.js'), 'YourSignInPage'),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  component: lazyRouteComponent(() => import('./pages/settings/settings-page.js'), 'SettingsPage'),
});

const alertSettings = createRoute({
  getParentRoute: () => root,
  path: '/settings/alerts',
  component: lazyRouteComponent(() => import('./pages/settings/alerts-page.js'), 'AlertsPage'),
});

const roleSettings = createRoute({
  getParentRoute: () => root,
  path: '/settings/roles',
  component: lazyRouteComponent(() => import('./pages/settings/roles-page.js'), 'RolesPage'),
});

const tokenSettings = createRoute({
  getParentRoute: () => root,
  path: '/settings/tokens',
  component: lazyRouteComponent(() => import('./pages/settings/tokens-page.js'), 'TokensPage'),
});

const hrSourceSettings = createRoute({
  getParentRoute: () => root,
  path: '/settings/hr-sources',
  component: lazyRouteComponent(() => import('./pages/settings/hr-sources-page.js'), 'HrSourcesPage'),
});

const limitSettings = createRoute({
  getParentRoute: () => root,
  path: '/settings/limits',
  component: lazyRouteComponent(() => import('./pages/settings/limits-page.js'), 'LimitsPage'),
});

const siteSettings = createRoute({
  getParentRoute: () => root,
  path: '/settings/sites',
  component: lazyRouteComponent(() => import('./pages/settings/sites-page.js'), 'SitesPage'),
});

const installationSettings = createRoute({
  getParentRoute: () => root,
  path: '/settings/installation',
  component: lazyRouteComponent(() => import('./pages/settings/installation-page.js'), 'InstallationPage'),
});

/** Everything is addressed by its URL; each page is a file of its own that is fetched when it is first opened. */
export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    lostLaptop,
    people,
    person,
    cases,
    oneCase,
    duties,
    devices,
    device,
    deviceImport,
    returns,
    models,
    images,
    imageVersion,
    tools,
    newTool,
    tool,
    changeTool,
    approvals,
    hrEvents,
    audit,
    settings,
    alertSettings,
    roleSettings,
    tokenSettings,
    hrSourceSettings,
    limitSettings,
    siteSettings,
    installationSettings,
    yourSignIn,
  ]),
  basepath: '/app',
  defaultPreload: 'intent',
  defaultPendingComponent: Loading,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
