"use strict";
(function () {
  var all = document.querySelectorAll("details.check");
  function on(id, open) {
    document.getElementById(id).addEventListener("click", function () {
      all.forEach(function (check) { check.open = open; });
    });
  }
  function follow() {
    var target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) {
      target.open = true;
      target.scrollIntoView();
    }
  }
  on("open-all", true);
  on("close-all", false);
  document.getElementById("tools").hidden = false;
  window.addEventListener("hashchange", follow);
  follow();
})();
