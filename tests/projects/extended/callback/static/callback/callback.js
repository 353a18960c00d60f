document.documentElement.dataset.callback = "ready";
