const { defineConfig } = require("@medusajs/framework/utils");

// As published, with what it needs to start and nothing tuned: one PostgreSQL, the modules it comes with, no admin pages.
module.exports = defineConfig({
  admin: { disable: true },
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    databaseDriverOptions: { ssl: false },
    http: {
      storeCors: "http://localhost",
      adminCors: "http://localhost",
      authCors: "http://localhost",
      jwtSecret: "only-for-measuring",
      cookieSecret: "only-for-measuring",
    },
  },
});
