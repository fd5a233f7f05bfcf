import { openApiDocument } from "../../../services/api-gateway/pages/openapi.ts";

/** The routes and the document of a gateway with SMS_LOGIN=off, or another value. */
function gatewayWith(value: string) {
  const before = process.env.SMS_LOGIN;
  process.env.SMS_LOGIN = value;
  const found = { routes: [] as string[], documented: "" };
  try {
    jest.isolateModules(() => {
      const load = (file: string) => jest.requireActual(`../../../services/api-gateway/${file}`);
      found.routes = Object.keys(load("routes.ts").aliases).filter((name) => name.includes("/userLogin/"));
      found.documented = JSON.stringify(openApiDocument(load("endpoints/all.ts").endpoints));
    });
  } finally {
    if (before === undefined) delete process.env.SMS_LOGIN;
    else process.env.SMS_LOGIN = before;
  }
  return found;
}

const route = (name: string) => `POST /live/api/userLogin/${name}`;

test("SMS_LOGIN=off leaves no path by which somebody logs in, and no documentation of one; logins can be ended", () => {
  const { routes, documented } = gatewayWith("off");
  expect(routes).toEqual(["logout", "logoutAll"].map(route));
  expect(documented).not.toMatch(/sendLoginCode|userLogin\/login"/);
});

test("SMS_LOGIN=on, as where it is unset, has them", () => {
  for (const value of ["on", ""]) {
    const { routes, documented } = gatewayWith(value);
    expect(routes).toEqual(["sendLoginCode", "login", "logout", "logoutAll"].map(route));
    expect(documented).toContain("/live/api/userLogin/sendLoginCode");
  }
});
