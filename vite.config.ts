import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** `npm run ui`: the pages as they are being written, in front of a service that runs on port 3000. */
const API = Object.fromEntries(
  ['/v1', '/sign-in', '/sign-out', '/docs', '/openapi.json'].map((path) => [path, 'http://127.0.0.1:3000']),
);

/** Of the user interface; the tests have their own. */
export default defineConfig({
  root: 'ui',
  base: '/app/',
  plugins: [react()],
  build: {
    outDir: '../dist/ui',
    emptyOutDir: true,
    // The list that the test of the bundle's size reads.
    manifest: true,
    // The security policy lets nothing inline count as a script or a style.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
  },
  server: { proxy: API },
});
