"""URLs of the demo: home at /, the widget at /book/ (manage pages at /book/manage/), the admin at /admin/.

On the sandbox a second business, with all options switched on, is at /book-all/. On this machine search engines may
list its pages, and /sitemap.xml has them. /several/ has widgets of both.

The demo's tools are for this machine and for staff: the snippet builder at /snippet/, the themes at /themes/ and, on
the sandbox, the control page at /sandbox/ and the mails to customers at /mail/.
"""

from django.conf import settings
from django.contrib import admin
from django.contrib.sitemaps.views import sitemap
from django.urls import include, path

from demo_site import mail_viewer, views
from demo_site.sandbox_panel import sandbox_panel
from kordless_booking.sitemaps import ServiceSitemap

urlpatterns = [
    path("", views.home, name="home"),
    path("book/", include("kordless_booking.urls")),
    path("privacy/", views.legal, {"title": "Privacy policy"}, name="privacy"),
    path("terms/", views.legal, {"title": "Terms"}, name="terms"),
    path("thanks/", views.thanks, name="thanks"),
    path("themes/", views.themes, name="themes"),
    path("snippet/", views.snippet, name="snippet"),
    path("sandbox/", sandbox_panel, name="counter"),
    path("mail/", mail_viewer.mailbox, name="postbox"),
    path("mail/<str:name>/", mail_viewer.mail_html, name="letter"),
    path("mail/<str:name>/booking.ics", mail_viewer.calendar, name="letter-calendar"),
    path("admin/", admin.site.urls),
]
if "ACCOUNTS" in settings.KORDLESS_BOOKING:
    urlpatterns += [
        path("several/", views.several, name="several"),
        path("book-all/", include("kordless_booking.urls", namespace="everything")),
        path("sitemap.xml", sitemap, {"sitemaps": {"booking": ServiceSitemap("everything")}}, name="sitemap"),
    ]
