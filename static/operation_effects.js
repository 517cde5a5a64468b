// Nothing moves on this page: it only says when it is ready.
document.body.dataset.ready = "";
