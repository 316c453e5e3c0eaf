#!/usr/bin/env python3
"""Looks at the console as a person does.

usage: browse.py CONSOLE_URL TOKEN SCREENSHOT_FOLDER     one line a check
"""
import gzip
import os
import sys
import time
import urllib.request

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

URL, TOKEN, FOLDER = sys.argv[1:4]
WAIT_SECONDS = 60
FIRST_LOAD_BYTES_MAX = 60 * 1024


def browser(width, dark):
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={width},1600"):
        options.add_argument(flag)
    if dark:
        options.add_argument("--force-dark-mode")
        options.add_argument("--enable-features=WebContentsForceDark:inversion_method/cielab_based")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))


def until(driver, what):
    return WebDriverWait(driver, WAIT_SECONDS).until(what)


def find(driver, selector):
    return driver.find_elements(By.CSS_SELECTOR, selector)


def shoot(driver, name):
    height = driver.execute_script("return document.documentElement.scrollHeight")
    driver.set_window_size(driver.get_window_size()["width"], min(height + 120, 6000))
    driver.save_screenshot(os.path.join(FOLDER, name))


def first_load_is_small(_):
    total = 0
    for path in ("/", "/app.js", "/charts.js", "/style.css", "/icon.svg"):
        total += len(gzip.compress(urllib.request.urlopen(URL + path).read()))
    assert total <= FIRST_LOAD_BYTES_MAX, f"{total} bytes"


def the_map_shows_both_paths(driver):
    until(driver, lambda d: len(find(d, "#map .lane")) == 6)
    assert find(driver, "#health")[0].text == "healthy", find(driver, "#health")[0].text
    counts = [node.text for node in find(driver, "#map .count")]
    assert counts.count("2,000") == 18, counts


def every_question_has_a_chart_and_its_rows(driver):
    until(driver, lambda d: len(find(d, "#answers-out article")) == 9)
    for card in find(driver, "#answers-out article"):
        title = card.find_element(By.TAG_NAME, "h3").text
        assert card.find_elements(By.TAG_NAME, "svg"), f"{title}: no chart"
        card.find_element(By.TAG_NAME, "summary").click()
        assert card.find_elements(By.CSS_SELECTOR, "tbody tr"), f"{title}: no rows"
        card.find_element(By.TAG_NAME, "summary").click()


def the_stream_answers_too(driver):
    find(driver, "#from option[value=stream]")[0].click()
    until(driver, lambda d: len(find(d, "#answers-out article")) == 9 and find(d, "#answers-note")[0].text == "")
    find(driver, "#from option[value=batch]")[0].click()


def a_run_needs_the_token(driver):
    find(driver, "#run-form button")[0].click()
    until(driver, lambda d: "token" in find(d, "#run-note")[0].text)


def a_run_is_triggered(driver):
    driver.get(f"{URL}/#token={TOKEN}")
    driver.refresh()
    until(driver, lambda d: find(d, "#map .lane"))
    assert TOKEN not in driver.current_url, "the token stays in the address"
    find(driver, "#run-form button")[0].click()
    until(driver, lambda d: find(d, "#run-note")[0].text == "done")
    until(driver, lambda d: "success" in find(d, "#runs-out")[0].text)


def the_last_ten_records_are_shown(driver):
    find(driver, "#records-form button")[0].click()
    until(driver, lambda d: len(find(d, "#records-out tbody tr")) == 10)


def the_keyboard_reaches_everything(driver):
    driver.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached = set()
    for _ in range(80):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(driver.execute_script("return document.activeElement.id || document.activeElement.tagName"))
    for wanted in ("from", "topic", "SUMMARY", "BUTTON", "A"):
        assert wanted in reached, f"{wanted} is not reached: {sorted(reached)}"


def nothing_fails_and_nothing_comes_from_elsewhere(driver):
    complaints = [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    assert not complaints, complaints
    requested = [entry["message"] for entry in driver.get_log("performance") if '"Network.requestWillBeSent"' in entry["message"]]
    elsewhere = [text for text in requested if '"url":"http' in text and f'"url":"{URL}' not in text]
    assert not elsewhere, elsewhere[:1]


def narrow_and_dark(_):
    driver = browser(420, True)
    try:
        driver.get(URL)
        until(driver, lambda d: len(find(d, "#answers-out article")) == 9)
        wide = driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        shoot(driver, "narrow.png")
        assert wide <= 0, f"the page is {wide} px wider than a narrow window"
    finally:
        driver.quit()


def main():
    driver = browser(1280, False)
    bad = 0
    try:
        driver.get(URL)
        for check in (first_load_is_small, the_map_shows_both_paths, every_question_has_a_chart_and_its_rows,
                      the_stream_answers_too, a_run_needs_the_token, a_run_is_triggered, the_last_ten_records_are_shown,
                      the_keyboard_reaches_everything, nothing_fails_and_nothing_comes_from_elsewhere, narrow_and_dark):
            began = time.monotonic()
            try:
                check(driver)
                print(f"ok      {check.__name__} ({time.monotonic() - began:.1f} s)")
            except Exception as error:
                bad += 1
                print(f"FAILED  {check.__name__}: {str(error)[:600]}")
        until(driver, lambda d: len(find(d, "#answers-out article")) == 9)
        shoot(driver, "console.png")
    finally:
        driver.quit()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
