// The list of joint operations: only the way to the other language needs a script.

import { page } from "./page.js";

const other = document.querySelector("[data-other-language]");
const address = new URL(location.href);
address.searchParams.set("lang", page.locale === "zh" ? "en" : "zh");
other.href = address.href;
document.body.dataset.ready = "";
