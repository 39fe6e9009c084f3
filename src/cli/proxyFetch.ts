/** A `fetch` that knows the proxies of the environment: HTTPS_PROXY, HTTP_PROXY, NO_PROXY. */
import { EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';

/** Its connections are closed when `use` has ended. */
export async function withProxyFetch<T>(use: (ask: typeof fetch) => Promise<T>): Promise<T> {
  const agent = new EnvHttpProxyAgent();
  try {
    // The library's fetch is the one that takes its own agent; it differs from Node's in the names of its types only.
    return await use(((url: string, init: object) => undiciFetch(url, { ...init, dispatcher: agent })) as unknown as typeof fetch);
  } finally {
    await agent.destroy();
  }
}
