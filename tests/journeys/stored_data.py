"""Script that lists what a page's origin has stored in a browser, without cookies: those have their own ways to ask."""

STORED = """async () => {
  const found = [];
  const look = async (what, list) => {
    try {
      found.push(...(await list()).map((one) => `${what} ${one.name ?? one.scope ?? one} of ${location.origin}`));
    } catch (error) {
      // The browser lets nothing be kept here.
      if (!["SecurityError", "NotSupportedError", "UnknownError"].includes(error.name)) throw error;
    }
  };
  await look("localStorage", () => Object.keys(localStorage));
  await look("sessionStorage", () => Object.keys(sessionStorage));
  await look("database", () => indexedDB.databases());
  await look("cache", () => caches.keys());
  await look("service worker", async () => (await navigator.serviceWorker?.getRegistrations()) ?? []);
  return found;
}"""
